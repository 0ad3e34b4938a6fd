/** A folder as a grid of tiles, whose pictures appear as their bytes do. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { size } from "../app/format";
import { type Entry, kindOf } from "./entries";
import { pictures } from "./pictures";
import type { ListProps } from "./rows";
import { useWindow } from "./window";

const SMALLEST_TILE = 160; // pixels
const GAP = 12;
const CAPTION = 32;
const BEYOND = 1; // a row of pictures is much to load for nobody

export interface Layout {
  columns: number;
  tile: number;
}

/** How many tiles stand beside each other in a width, and how wide each is. */
export function layOut(width: number): Layout {
  const columns = Math.max(2, Math.floor((width + GAP) / (SMALLEST_TILE + GAP)));
  return { columns, tile: Math.max(1, (width - GAP * (columns - 1)) / columns) };
}

interface GridProps extends ListProps {
  onColumns: (columns: number) => void;
}

export function Grid({ entries, active, addressOf, onActive, onColumns }: GridProps) {
  const list = useRef<HTMLDivElement>(null);
  const { columns, tile } = useLayout(list);
  useEffect(() => onColumns(columns), [columns]);
  const rowHeight = tile * 0.75 + CAPTION + GAP;
  const rows = Math.ceil(entries.length / columns);
  const { first, end } = useWindow(list, rows, rowHeight, BEYOND);
  return (
    <div
      class="grid"
      role="list"
      aria-label="Files"
      ref={list}
      style={{ height: `${rows * rowHeight}px` }}
    >
      {entries.slice(first * columns, end * columns).map((entry, offset) => {
        const index = first * columns + offset;
        const left = (index % columns) * (tile + GAP);
        const top = Math.floor(index / columns) * rowHeight;
        return (
          <div
            key={entry.href ?? entry.name}
            role="listitem"
            aria-setsize={entries.length}
            aria-posinset={index + 1}
            class="tile"
            style={{ transform: `translate(${left}px, ${top}px)`, width: `${tile}px` }}
          >
            <Tile
              entry={entry}
              index={index}
              active={index === active}
              address={addressOf(entry)}
              height={tile * 0.75}
              onActive={onActive}
            />
          </div>
        );
      })}
    </div>
  );
}

function useLayout(list: preact.RefObject<HTMLElement>): Layout {
  const [layout, setLayout] = useState(() => layOut(Math.min(innerWidth, 1200)));
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setLayout(layOut(element.clientWidth)));
    observer.observe(element);
    setLayout(layOut(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  return layout;
}

interface TileProps {
  entry: Entry;
  index: number;
  active: boolean;
  address: string | undefined;
  height: number;
  onActive: (index: number) => void;
}

function Tile({ entry, index, active, address, height, onActive }: TileProps) {
  const content = (
    <>
      <span class="face" style={{ height: `${height}px` }}>
        {kindOf(entry) === "picture" && entry.href !== null ? (
          <Picture href={entry.href} />
        ) : (
          <span class={`icon icon-${kindOf(entry)}`} aria-hidden="true" />
        )}
      </span>
      <span class="name">{entry.name}</span>
      <span class="size">{entry.size === null ? "" : size(entry.size)}</span>
    </>
  );
  return address === undefined ? (
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
  );
}

function Picture({ href }: { href: string }) {
  const image = useRef<HTMLImageElement>(null);
  const [state, setState] = useState("waiting");
  useEffect(
    () => (image.current ? pictures.add(image.current, href, setState) : undefined),
    [href],
  );
  return <img ref={image} class={`picture ${state}`} alt="" decoding="async" draggable={false} />;
}
