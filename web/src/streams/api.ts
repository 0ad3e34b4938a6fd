/** The streams of the server (Durable Streams protocol), and the list of them. */

export interface Stream {
  name: string;
  path: string;
  content_type: string;
  created: string;
  size: number;
  tail: string;
  closed: boolean;
}

const PREFIX = "/v1/stream/";
const LIST = "/~/streams";
const BEGINNING = "-1";

export class Refused extends Error {
  constructor(
    readonly status: number,
    words: string,
  ) {
    super(words);
  }
}

export async function list(): Promise<Stream[]> {
  const answer = await fetch(LIST);
  await check(answer);
  return (await answer.json()) as Stream[];
}

export async function create(name: string, contentType: string): Promise<void> {
  await check(
    await fetch(PREFIX + name.split("/").map(encodeURIComponent).join("/"), {
      method: "PUT",
      headers: { "content-type": contentType },
    }),
  );
}

/** Append a line by hand: a message of JSON, or text with its line end. */
export async function append(stream: Stream, text: string): Promise<void> {
  const body = isJson(stream) ? text : `${text}\n`;
  await check(
    await fetch(stream.path, {
      method: "POST",
      headers: { "content-type": stream.content_type },
      body,
    }),
  );
}

/** Where to listen to what comes behind `offset`. */
export function liveAddress(stream: Stream, offset: string | null): string {
  return `${stream.path}?offset=${encodeURIComponent(offset ?? BEGINNING)}&live=sse`;
}

export function isJson(stream: Stream): boolean {
  return stream.content_type.split(";")[0]?.trim().toLowerCase() === "application/json";
}

export function isText(stream: Stream): boolean {
  return isJson(stream) || stream.content_type.toLowerCase().startsWith("text/");
}

async function check(answer: Response): Promise<void> {
  if (answer.ok) return;
  let words = "";
  try {
    const { detail, title } = (await answer.json()) as { detail?: string; title?: string };
    words = detail ?? title ?? "";
  } catch {
    // no problem document
  }
  throw new Refused(answer.status, words || `The server does not do that (${answer.status}).`);
}
