import { expect, test } from "vitest";
import { rowsInSight } from "./window";

test("only rows in sight and a few beyond are drawn, wherever a list is scrolled to", () => {
  for (const scrolled of [0, 1, 43, 44, 100_000, 4_399_000, 4_400_000]) {
    const { first, end } = rowsInSight(200 - scrolled, 800, 44, 100_000, 8);
    expect(end - first).toBeLessThanOrEqual(800 / 44 + 2 * 9 + 1);
    const topmost = Math.max(0, Math.floor((scrolled - 200) / 44));
    const lowest = Math.min(99_999, Math.floor((scrolled + 599) / 44));
    expect(first).toBeLessThanOrEqual(topmost);
    expect(end).toBeGreaterThan(lowest);
  }
});

test("a list that is shorter than the window is drawn whole, and an empty one not at all", () => {
  expect(rowsInSight(200, 800, 44, 3, 8)).toEqual({ first: 0, end: 3 });
  expect(rowsInSight(200, 800, 44, 0, 8)).toEqual({ first: 0, end: 0 });
});
