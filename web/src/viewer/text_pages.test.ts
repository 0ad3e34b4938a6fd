import { expect, test } from "vitest";
import { pageBefore, pageFrom } from "./text_pages";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a page ends behind the last whole line, and the last page at the end of the file", () => {
  expect(pageFrom(bytes("one\ntwo\nthr"), 100, false)).toEqual({
    start: 100,
    end: 108,
    text: "one\ntwo\n",
  });
  expect(pageFrom(bytes("one\ntwo\nthr"), 100, true)).toEqual({
    start: 100,
    end: 111,
    text: "one\ntwo\nthr",
  });
});

test("a line longer than a page is cut between two characters", () => {
  const whole = bytes("aé€😀");
  for (let size = 1; size <= whole.length; size += 1) {
    const page = pageFrom(whole.subarray(0, size), 0, false);
    expect(page.text).not.toContain("\uFFFD");
    expect(bytes(page.text).length).toBe(page.end);
  }
});

test("a page before another begins with a whole line, and the first with the file", () => {
  expect(pageBefore(bytes("ne\ntwo\n"), 1000)).toEqual({ start: 996, end: 1000, text: "two\n" });
  expect(pageBefore(bytes("one\ntwo\n"), 8)).toEqual({ start: 0, end: 8, text: "one\ntwo\n" });
});

test("pages from a start to the end are the file, whatever their size", () => {
  const file = bytes("α\nbeta\n\ngamma delta\nε");
  for (let size = 4; size <= file.length + 1; size += 1) {
    let text = "";
    for (let at = 0; at < file.length; ) {
      const page = pageFrom(file.subarray(at, at + size), at, at + size >= file.length);
      expect(page.end).toBeGreaterThan(at);
      text += page.text;
      at = page.end;
    }
    expect(text).toBe("α\nbeta\n\ngamma delta\nε");
  }
});
