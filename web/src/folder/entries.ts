/** Entries of a folder: what the server tells of each, and the orders they can stand in. */

export interface Entry {
  name: string;
  type: "file" | "directory" | "other";
  size: number | null;
  modified: string;
  href: string | null;
  media_type: string | null;
}

export type Sort = "name" | "time" | "size";
export type Order = "asc" | "desc";

export interface Ordering {
  sort: Sort;
  order: Order;
}

export const DEFAULT_ORDER: Record<Sort, Order> = { name: "asc", time: "desc", size: "desc" };

export function orderingOf(query: URLSearchParams): Ordering {
  const asked = query.get("sort");
  const sort: Sort = asked === "time" || asked === "size" ? asked : "name";
  const order = query.get("order");
  return { sort, order: order === "asc" || order === "desc" ? order : DEFAULT_ORDER[sort] };
}

/** The ordering as a query: "" for the one that needs no saying. */
export function queryOf({ sort, order }: Ordering): string {
  const query = new URLSearchParams();
  if (sort !== "name") query.set("sort", sort);
  if (order !== DEFAULT_ORDER[sort]) query.set("order", order);
  return query.size ? `?${query}` : "";
}

/** As the server orders: folders first, then by what is asked, then by name without its case. */
export function sorted(entries: readonly Entry[], { sort, order }: Ordering): Entry[] {
  const keyed = entries.map((entry) => ({ entry, name: entry.name.toLowerCase() }));
  const sign = order === "asc" ? 1 : -1;
  keyed.sort((a, b) => {
    const folders = Number(b.entry.type === "directory") - Number(a.entry.type === "directory");
    if (folders) return folders;
    if (sort === "size" && a.entry.size !== b.entry.size) {
      return sign * ((a.entry.size ?? 0) - (b.entry.size ?? 0));
    }
    if (sort === "time" && a.entry.modified !== b.entry.modified) {
      return sign * (a.entry.modified < b.entry.modified ? -1 : 1);
    }
    const names = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    return sort === "name" ? sign * names : names;
  });
  return keyed.map(({ entry }) => entry);
}

/** Those whose names hold every word of the filter, whatever its case. */
export function matching(entries: readonly Entry[], filter: string): readonly Entry[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  return entries.filter((entry) => {
    const name = entry.name.toLowerCase();
    return words.every((word) => name.includes(word));
  });
}

export type Kind = "folder" | "picture" | "video" | "sound" | "text" | "document" | "other";

const DOCUMENTS = new Set(["application/pdf", "text/html", "application/xhtml+xml"]);
const TEXTS = /^(text\/|application\/(.*\+)?(json|xml|yaml|toml|x-ndjson|javascript|x-subrip|sql))/;

export function kindOf(entry: Entry): Kind {
  if (entry.type === "directory") return "folder";
  const type = entry.media_type ?? "";
  if (type.startsWith("image/")) return "picture";
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("audio/")) return "sound";
  if (DOCUMENTS.has(type)) return "document";
  if (TEXTS.test(type)) return "text";
  return "other";
}
