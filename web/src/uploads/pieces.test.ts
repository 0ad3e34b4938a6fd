import { describe, expect, test } from "vitest";
import { readLimits } from "./limits";
import { Pieces } from "./pieces";

const MIB = 1024 * 1024;
const NONE = { most: null, mostOfRequest: null, leastOfRequest: null };

describe("the field Upload-Limit", () => {
  test.each([
    ["max-append-size=1000", { ...NONE, mostOfRequest: 1000 }],
    [
      "max-size=5, min-append-size=2,max-append-size=3",
      { most: 5, mostOfRequest: 3, leastOfRequest: 2 },
    ],
    ['max-size=1;note="a, b";x, max-age=30', { ...NONE, most: 1 }],
    ['future, other="a,max-size=7", max-size=9', { ...NONE, most: 9 }],
    ["max-size=1, max-size=2", { ...NONE, most: 2 }],
    ["min-size=0", NONE],
    ["", NONE],
    [null, NONE],
  ])("%s is read", (field, limits) => expect(readLimits(field)).toEqual(limits));

  test.each([
    "max-size=1,",
    ",max-size=1",
    "max-size=1 max-append-size=2",
    "max-size = 1",
    "Max-Size=1",
    "max-size=(1 2)",
    "max-size=1.5",
    "max-size=-1",
    "max-size",
    'max-size="1"',
    "max-append-size=5, max-size=?1",
    "max-size=1234567890123456",
  ])("%s says nothing", (field) => expect(readLimits(field)).toEqual(NONE));
});

describe("a piece", () => {
  test("is all that is left where nobody limits it", () => {
    expect(new Pieces().size).toBe(Number.POSITIVE_INFINITY);
  });

  test("is no larger than what is announced, however little that is", () => {
    const pieces = new Pieces();
    pieces.heed("max-append-size=1000");
    expect(pieces.size).toBe(1000);
    expect(pieces.smaller()).toBe(false);
    pieces.heed(null); // an answer that says nothing
    expect(pieces.size).toBe(1000);
    pieces.heed("max-append-size=2000");
    expect(pieces.size).toBe(2000);
  });

  test("gets smaller when it is refused, down to a quarter of a MiB", () => {
    const pieces = new Pieces();
    const sizes = [];
    while (pieces.smaller()) sizes.push(pieces.size);
    expect(sizes).toEqual([64 * MIB, 16 * MIB, 4 * MIB, MIB, MIB / 4]);
  });

  test("gets smaller from what was announced, and never below the least", () => {
    const pieces = new Pieces();
    pieces.heed(`max-append-size=${8 * MIB}, min-append-size=${MIB}`);
    const sizes = [];
    while (pieces.smaller()) sizes.push(pieces.size);
    expect(sizes).toEqual([2 * MIB, MIB]);
  });
});
