/**
 * A text of any size, a few pages of it at a time.
 *
 * A page is a range of bytes that begins and ends between two lines, if the lines are not longer
 * than a page. Pages are fetched where a person reads; those far away are let go of.
 */

export const PAGE_SIZE = 128 * 1024; // bytes asked for at once
export const PAGES_HELD = 6;

export interface Page {
  /** Bytes of the file: where the page begins, and where the next one does. */
  start: number;
  end: number;
  text: string;
}

const NEWLINE = 10;

/** Bytes of the file from `start`, at most `size`, and how many bytes it has altogether. */
export async function fetchBytes(
  address: string,
  start: number,
  size: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; total: number }> {
  const headers = { range: `bytes=${start}-${start + size - 1}` };
  const response = await fetch(address, { headers, signal, cache: "no-store" });
  if (response.status === 416) {
    await response.body?.cancel();
    const total = Number(response.headers.get("content-range")?.split("/")[1] ?? start);
    return { bytes: new Uint8Array(), total };
  }
  if (!response.ok) throw new Error(`${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 206)
    return { bytes: bytes.slice(start, start + size), total: bytes.length };
  return {
    bytes,
    total: Number(response.headers.get("content-range")?.split("/")[1] ?? bytes.length),
  };
}

/** The page that begins at `start`: as many whole lines as fit, or a piece of a very long one. */
export function pageFrom(bytes: Uint8Array, start: number, last: boolean): Page {
  let size = bytes.length;
  if (!last) {
    const newline = bytes.lastIndexOf(NEWLINE);
    size = newline >= 0 ? newline + 1 : wholeCharacters(bytes);
  }
  return { start, end: start + size, text: decode(bytes.subarray(0, size)) };
}

/** The page that ends at `end`, of the bytes before it: from the first line that begins in them. */
export function pageBefore(bytes: Uint8Array, end: number): Page {
  const from = end - bytes.length;
  if (from <= 0) return { start: 0, end, text: decode(bytes) };
  const newline = bytes.indexOf(NEWLINE);
  const skip = newline >= 0 && newline < bytes.length - 1 ? newline + 1 : 0;
  return { start: from + skip, end, text: decode(bytes.subarray(skip)) };
}

/** How many bytes hold whole characters of UTF-8: a character may be cut at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
