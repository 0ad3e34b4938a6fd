/** A folder as rows. */

import { useRef } from "preact/hooks";
import { date, fullDate, size } from "../app/format";
import { type Entry, kindOf } from "./entries";
import { useWindow } from "./window";

export const ROW_HEIGHT = 44; // pixels, as in folder.css
const BEYOND = 8;

export interface ListProps {
  entries: readonly Entry[];
  /** Which of them the keys act on. */
  active: number;
  addressOf: (entry: Entry) => string | undefined;
  onActive: (index: number) => void;
}

export function Rows({ entries, active, addressOf, onActive }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const { first, end } = useWindow(list, entries.length, ROW_HEIGHT, BEYOND);
  return (
    <div
      class="rows"
      role="list"
      aria-label="Files"
      ref={list}
      style={{ height: `${entries.length * ROW_HEIGHT}px` }}
    >
      {entries.slice(first, end).map((entry, offset) => {
        const index = first + offset;
        return (
          <Row
            key={entry.href ?? entry.name}
            entry={entry}
            index={index}
            count={entries.length}
            active={index === active}
            address={addressOf(entry)}
            onActive={onActive}
          />
        );
      })}
    </div>
  );
}

interface RowProps {
  entry: Entry;
  index: number;
  count: number;
  active: boolean;
  address: string | undefined;
  onActive: (index: number) => void;
}

function Row({ entry, index, count, active, address, onActive }: RowProps) {
  const content = (
    <>
      <span class={`icon icon-${kindOf(entry)}`} aria-hidden="true" />
      <span class="name">{entry.name}</span>
      <span class="size">{entry.size === null ? "" : size(entry.size)}</span>
      <time dateTime={entry.modified} title={fullDate(entry.modified)}>
        {date(entry.modified)}
      </time>
    </>
  );
  const style = { transform: `translateY(${index * ROW_HEIGHT}px)` };
  return (
    <div role="listitem" aria-setsize={count} aria-posinset={index + 1} class="row" style={style}>
      {address === undefined ? (
        <span class="entry">{content}</span>
      ) : (
        <a
          class="entry"
          href={address}
          data-index={index}
          tabIndex={active ? 0 : -1}
          onFocus={() => onActive(index)}
        >
          {content}
        </a>
      )}
    </div>
  );
}
