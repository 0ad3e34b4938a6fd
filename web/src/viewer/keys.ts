/** Which keys there are for a file that is open, by its kind. */

import type { Kind } from "../folder/entries";

type Keys = readonly (readonly [string, string])[];

const OF_RECORDINGS: Keys = [
  ["Space k", "Play or pause"],
  ["← →", "5 seconds back or on"],
  ["j l", "10 seconds back or on"],
  ["↑ ↓", "Louder or softer"],
  ["m", "Sound off or on"],
  ["< >", "Slower or faster"],
];
const OF_KINDS: Partial<Record<Kind, Keys>> = {
  picture: [
    ["← →", "Picture before or after"],
    ["+ - 0", "Closer, farther, whole"],
  ],
  video: [...OF_RECORDINGS, ["f", "Whole screen"]],
  sound: OF_RECORDINGS,
};
const OF_ALL: Keys = [
  ["p n", "File before or after"],
  ["Esc", "Close"],
  ["?", "These keys"],
];

export function keysOf(kind: Kind): Keys {
  return [...(OF_KINDS[kind] ?? []), ...OF_ALL];
}
