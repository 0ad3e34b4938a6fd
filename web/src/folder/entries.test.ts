import { expect, test } from "vitest";
import { type Entry, kindOf, matching, orderingOf, queryOf, sorted } from "./entries";

function entry(name: string, more: Partial<Entry> = {}): Entry {
  const file = { type: "file", size: 1, modified: "2026-01-01T00:00:00.000Z", media_type: null };
  return { ...file, name, href: name, ...more } as Entry;
}

const folder = entry("zoo", { type: "directory", size: null });
const names = (entries: readonly Entry[]) => entries.map(({ name }) => name);

test("folders come first and names compare without their case, as on the server", () => {
  const entries = [entry("b"), entry("A"), folder, entry("C")];
  expect(names(sorted(entries, { sort: "name", order: "asc" }))).toEqual(["zoo", "A", "b", "C"]);
  expect(names(sorted(entries, { sort: "name", order: "desc" }))).toEqual(["zoo", "C", "b", "A"]);
});

test("of equal size or time, names ascend either way", () => {
  const entries = [entry("b"), entry("a"), entry("c", { size: 9 })];
  expect(names(sorted(entries, { sort: "size", order: "desc" }))).toEqual(["c", "a", "b"]);
  expect(names(sorted(entries, { sort: "size", order: "asc" }))).toEqual(["a", "b", "c"]);
  expect(names(sorted(entries, { sort: "time", order: "desc" }))).toEqual(["a", "b", "c"]);
});

test("a filter wants every one of its words, in any order and case", () => {
  const entries = [entry("Holiday in May.jpg"), entry("may.txt"), entry("holiday.txt")];
  expect(names(matching(entries, "may HOLI"))).toEqual(["Holiday in May.jpg"]);
  expect(matching(entries, "  ")).toBe(entries);
});

test.each(["", "?sort=size", "?sort=time&order=asc", "?order=desc"])(
  "an order survives its address: %s",
  (query) => {
    expect(queryOf(orderingOf(new URLSearchParams(query)))).toBe(query);
  },
);

test("an address that makes no sense is the usual order", () => {
  expect(orderingOf(new URLSearchParams("sort=x&order=y"))).toEqual({ sort: "name", order: "asc" });
});

test.each([
  ["image/webp", "picture"],
  ["video/mp4", "video"],
  ["audio/flac", "sound"],
  ["text/plain", "text"],
  ["application/geo+json", "text"],
  ["application/x-ndjson", "text"],
  ["application/pdf", "document"],
  ["text/html", "document"],
  ["application/zip", "other"],
])("%s is shown as %s", (media_type, kind) => {
  expect(kindOf(entry("x", { media_type }))).toBe(kind);
});
