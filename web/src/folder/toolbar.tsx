/** What can be done with a listing: filter, order, rows or grid; and what it holds. */

import type { RefObject } from "preact";
import { count, size } from "../app/format";
import { DEFAULT_ORDER, type Ordering, type Sort } from "./entries";
import type { Listing } from "./listing";

export type Layout = "rows" | "grid";

const SORTS: readonly (readonly [Sort, string])[] = [
  ["name", "Name"],
  ["size", "Size"],
  ["time", "Modified"],
];

interface ToolbarProps {
  listing: Listing;
  shown: number;
  filter: string;
  search: RefObject<HTMLInputElement>;
  layout: Layout;
  onFilter: (text: string) => void;
  onLayout: (layout: Layout) => void;
  onOrder: (ordering: Ordering) => void;
  onLeave: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { listing, filter, layout } = props;
  return (
    <div class="toolbar">
      <label class="filter">
        <span class="icon icon-search" aria-hidden="true" />
        <input
          ref={props.search}
          type="search"
          placeholder="Filter"
          aria-label="Filter by name"
          value={filter}
          onInput={(event) => props.onFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") props.onFilter("");
            else if (event.key !== "ArrowDown" && event.key !== "Enter") return;
            event.preventDefault();
            event.currentTarget.blur();
            props.onLeave();
          }}
        />
      </label>
      <p class="summary" role="status">
        {summary(listing, props.shown, filter)}
      </p>
      <div class="orders" role="group" aria-label="Order">
        {SORTS.map(([sort, label]) => {
          const current = listing.ordering.sort === sort;
          const { order } = listing.ordering;
          return (
            <button
              key={sort}
              type="button"
              aria-pressed={current}
              onClick={() =>
                props.onOrder({ sort, order: current ? opposite(order) : DEFAULT_ORDER[sort] })
              }
            >
              {label}
              {current && (
                <span
                  class={`arrow ${order}`}
                  role="img"
                  aria-label={order === "asc" ? ", ascending" : ", descending"}
                />
              )}
            </button>
          );
        })}
      </div>
      <div class="layouts" role="group" aria-label="Layout">
        {(["rows", "grid"] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={layout === each}
            aria-label={each === "rows" ? "Rows" : "Grid"}
            title={each === "rows" ? "Rows" : "Grid"}
            onClick={() => props.onLayout(each)}
          >
            <span class={`icon icon-${each}`} aria-hidden="true" />
          </button>
        ))}
      </div>
    </div>
  );
}

function opposite(order: "asc" | "desc"): "asc" | "desc" {
  return order === "asc" ? "desc" : "asc";
}

function summary(listing: Listing, shown: number, filter: string): string {
  const { entries, state } = listing;
  const more = state === "reading" ? " so far" : "";
  if (filter.trim())
    return `${count(shown, "match").replace("matchs", "matches")} of ${count(entries.length, "entry").replace("entrys", "entries")}${more}`;
  const folders = entries.reduce((total, entry) => total + Number(entry.type === "directory"), 0);
  const files = entries.length - folders;
  const bytes = entries.reduce((total, entry) => total + (entry.size ?? 0), 0);
  const parts = [];
  if (folders) parts.push(count(folders, "folder"));
  if (files) parts.push(count(files, "file"), size(bytes));
  return parts.join(", ") + (parts.length ? more : "");
}
