import { expect, test } from "vitest";
import { readLines } from "./listing";

function stream(...chunks: string[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(bytes.encode(chunk));
      controller.close();
    },
  });
}

async function all(source: ReadableStream<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of readLines(source)) lines.push(...some);
  return lines;
}

test("lines are whole however the bytes are cut", async () => {
  const text = '{"a":1}\n{"b":"é"}\n{"c":3}';
  const expected = text.split("\n");
  expect(await all(stream(text))).toEqual(expected);
  expect(await all(stream(...text))).toEqual(expected);
  expect(await all(stream(`${text}\n`))).toEqual(expected);
  expect(await all(stream())).toEqual([]);
});
