/** Subtitles that lie beside a recording: film.vtt, film.en.srt. */

import type { Entry } from "../folder/entries";

export interface Captions {
  href: string;
  label: string;
  language: string;
}

/** Those of a recording among the entries of its folder. */
export function captionsOf(recording: Entry, entries: readonly Entry[]): Captions[] {
  const stem = recording.name.replace(/\.[^.]*$/, "");
  return entries.flatMap(({ name, href }) => {
    if (href === null || !name.startsWith(`${stem}.`)) return [];
    const match = /^\.(?:([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\.)?(?:vtt|srt)$/i.exec(
      name.slice(stem.length),
    );
    if (!match) return [];
    return [{ href, label: match[1] ?? "Subtitles", language: match[1] ?? "" }];
  });
}

/** SubRip as WebVTT, which is what browsers take: a heading, and points in its times. */
export function toWebVTT(text: string): string {
  const plain = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (plain.startsWith("WEBVTT")) return plain;
  const time = /(\d{1,2}:\d{2}:\d{2}),(\d{1,3})/g;
  return `WEBVTT\n\n${plain.replace(time, (_, clock, rest) => `${clock.padStart(8, "0")}.${rest.padEnd(3, "0")}`)}`;
}

/** An address of the subtitles as WebVTT. Rejects when they do not arrive. */
export async function loadCaptions(address: string): Promise<string> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const text = toWebVTT(await response.text());
  return URL.createObjectURL(new Blob([text], { type: "text/vtt" }));
}
