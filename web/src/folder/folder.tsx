/** A folder: its entries, and the file that is open in it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Crumbs } from "../app/bar";
import { decode } from "../app/format";
import { lazy } from "../app/lazy";
import { go, type Place } from "../app/router";
import { takesFiles } from "../app/views";
import { type Entry, matching, orderingOf, queryOf } from "./entries";
import { Grid } from "./grid";
import { KEYS, useKeys } from "./keys";
import { KeysDialog } from "./keys_dialog";
import { Nothing } from "./nothing";
import { ROW_HEIGHT, Rows } from "./rows";
import { type Layout, Toolbar } from "./toolbar";
import { useListing } from "./use_listing";

const Intake = lazy(() => import("../uploads/intake"), { quiet: true });
const Viewer = lazy(() => import("../viewer/viewer"));
const LAYOUT = "riverrun.layout"; // what a person chose last, kept by the browser

export function Folder({ place }: { place: Place }) {
  const ordering = orderingOf(place.query);
  const listing = useListing(place.path, ordering);
  const [filter, setFilter] = useState("");
  const [layout, setLayout] = useState<Layout>(() => storedLayout());
  const [active, setActive] = useState(0);
  const [columns, setColumns] = useState(1);
  const [helping, setHelping] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const shown = useMemo(() => matching(listing.entries, filter), [listing.entries, filter]);

  useEffect(() => {
    document.title = `${decode(place.path.split("/").at(-2) || "Files")} · riverrun`;
  }, [place.path]);
  useEffect(() => {
    if (listing.ordering.sort !== ordering.sort || listing.ordering.order !== ordering.order) {
      listing.order(ordering);
    }
  }, [ordering.sort, ordering.order]);

  const chooseLayout = (chosen: Layout) => {
    localStorage.setItem(LAYOUT, chosen);
    setLayout(chosen);
    setActive(0);
  };
  const move = (index: number) => {
    setActive(index);
    focusEntry(index, layout === "rows" ? 1 : columns);
  };
  useKeys({
    count: shown.length,
    columns: layout === "rows" ? 1 : columns,
    rowsOfScreen: Math.max(1, Math.floor(innerHeight / ROW_HEIGHT) - 4),
    active,
    move,
    // Its link may not have the focus yet.
    open: () => document.querySelector<HTMLElement>(`[data-index="${active}"]`)?.click(),
    filter: () => search.current?.focus(),
    layout: () => chooseLayout(layout === "rows" ? "grid" : "rows"),
    help: () => setHelping(true),
  });

  const query = queryOf(ordering);
  const addressOf = (entry: Entry): string | undefined => {
    if (entry.href === null) return undefined;
    if (entry.type === "directory") return entry.href + query;
    return `${place.path}${query}#${entry.href}`;
  };
  const list = { entries: shown, active, addressOf, onActive: setActive };
  return (
    <main class="folder">
      <div class={takesFiles() ? "heading with-actions" : "heading"}>
        <div>
          <Crumbs path={place.path} />
        </div>
        {takesFiles() && listing.state !== "missing" && (
          <Intake folder={folderOf(place.path)} onArrival={() => void listing.read()} />
        )}
      </div>
      {listing.state !== "missing" && (
        <Toolbar
          listing={listing}
          shown={shown.length}
          filter={filter}
          search={search}
          layout={layout}
          onFilter={(text) => {
            setFilter(text);
            setActive(0);
          }}
          onLayout={chooseLayout}
          onOrder={(chosen) => go(place.path + queryOf(chosen), { replace: true })}
          onLeave={() => move(0)}
        />
      )}
      {shown.length === 0 ? (
        <Nothing listing={listing} filter={filter} onClear={() => setFilter("")} />
      ) : layout === "rows" ? (
        <Rows {...list} />
      ) : (
        <Grid {...list} onColumns={setColumns} />
      )}
      {listing.state === "lost" && listing.entries.length > 0 && (
        <p class="lost" role="status">
          The connection was lost before all of the folder was here.{" "}
          <button type="button" onClick={() => listing.read()}>
            Try again
          </button>
        </p>
      )}
      {place.file !== "" && (
        <Viewer
          listing={listing}
          entries={shown}
          file={place.file}
          onOpen={(href: string) => go(`${place.path}${query}#${href}`, { replace: true })}
          onClose={() => {
            go(place.path + query, { replace: true });
            const index = shown.findIndex((entry) => entry.href === place.file);
            if (index >= 0) move(index);
          }}
        />
      )}
      {helping && <KeysDialog keys={KEYS} onClose={() => setHelping(false)} />}
    </main>
  );
}

/** A path as uploads have it: decoded, without the first slash. */
function folderOf(path: string): string {
  return path.slice(1).split("/").map(decode).join("/");
}

function storedLayout(): Layout {
  return localStorage.getItem(LAYOUT) === "grid" ? "grid" : "rows";
}

let wanted = -1; // the entry that the keys went to last

/** Bring an entry into sight, and the keyboard to it: at once, or when it is drawn. */
function focusEntry(index: number, columns: number): void {
  wanted = index;
  if (focusDrawn(index)) return;
  const list = document.querySelector<HTMLElement>(".rows, .grid");
  if (!list) return;
  const count = Number(list.querySelector("[aria-setsize]")?.ariaSetSize ?? 1);
  const rows = Math.max(1, Math.ceil(count / columns));
  const height = list.offsetHeight / rows;
  const top = list.getBoundingClientRect().top + scrollY + Math.floor(index / columns) * height;
  scrollTo(0, Math.max(0, top - innerHeight / 2));
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (wanted === index) focusDrawn(index);
    }),
  );
}

function focusDrawn(index: number): boolean {
  const entry = document.querySelector<HTMLElement>(`[data-index="${index}"]`);
  entry?.focus({ preventScroll: true });
  entry?.scrollIntoView({ block: "nearest" });
  return entry !== null;
}
