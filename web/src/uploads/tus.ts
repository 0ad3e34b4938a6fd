/**
 * The requests of tus 1.0, and nothing else: each succeeds, or fails in one of three ways.
 *
 * The answers may say what a request may carry by the field of the IETF's resumable uploads, which
 * tus has none for.
 *
 * XMLHttpRequest carries the bytes, since fetch cannot tell how many of a body have left.
 */

import { pieces } from "./pieces";

const CREATION = "/~/tus/";
const LOOKING = "/~/uploads/"; // what is told of each upload, whatever it was begun with
const VERSION = "1.0.0";
const CREATED = 201;
const SILENCE = 30_000; // milliseconds without a byte, after which the server is asked how it is

/** The server has answered, and does not want it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    words: string,
    /** The most that it takes, in bytes, if it said so. */
    readonly most: number | null = null,
  ) {
    super(words);
  }
}

/** No answer came: the network or the server is away. */
export class Lost extends Error {}

/** We have ended the request ourselves. */
export class Cut extends Error {}

export type Progress = (sent: number) => void;

/** Begin an upload of `size` bytes to `path` below the root, and give its address. */
export async function create(
  path: string,
  file: File,
  clash: "refuse" | "rename" | "replace",
  signal: AbortSignal,
): Promise<string> {
  const metadata = [`path ${base64(path)}`];
  if (file.type) metadata.push(`filetype ${base64(file.type)}`);
  if (clash === "rename") metadata.push(`clash ${base64("rename")}`);
  const headers: Record<string, string> = {
    "upload-length": String(file.size),
    "upload-metadata": metadata.join(","),
  };
  if (clash === "refuse") headers["if-none-match"] = "*";
  const answer = await request("POST", CREATION, headers, signal);
  const location = answer.headers.get("location");
  if (answer.status !== CREATED || location === null) throw new Refused(answer.status, "");
  return location;
}

/** What the server tells of an upload to who only looks. */
export interface Sight {
  state: string;
  receiving: boolean;
  offset: number;
  target?: string;
}

/** Look at an upload; unlike asking for its offset, this ends no transfer that runs. */
export async function look(url: string, signal: AbortSignal): Promise<Sight> {
  const answer = await ask("GET", url.replace(CREATION, LOOKING), {}, signal);
  return (await answer.json()) as Sight;
}

/**
 * How many bytes of an upload the server has on its disk, for who goes on with it: whatever request
 * still brings some is ended by this one.
 */
export async function offset(url: string, signal: AbortSignal): Promise<number> {
  const answer = await request("HEAD", url, {}, signal);
  return Number(answer.headers.get("upload-offset"));
}

/** Forget an upload, and what has come of it. */
export async function forget(url: string): Promise<void> {
  await request("DELETE", url, {}, new AbortController().signal);
}

/** The path under which a finished upload stands, which may be another than was asked for. */
export async function place(url: string): Promise<string | null> {
  const sight = await look(url, new AbortController().signal).catch(() => null);
  const target = sight?.target;
  return target ? decodeURIComponent(target).replace(/^\//, "") : null;
}

/** Send `piece`, which begins at `from`; give the offset behind it. */
export function append(
  url: string,
  from: number,
  piece: Blob,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let heard = Date.now();
    const watch = window.setInterval(() => {
      if (Date.now() - heard < SILENCE) return;
      heard = Date.now();
      stillReceiving(url).catch(() => fail(new Lost()));
    }, SILENCE / 6);
    const settle = () => {
      window.clearInterval(watch);
      signal.removeEventListener("abort", cut);
    };
    const fail = (error: Error) => {
      settle();
      request.abort();
      reject(error);
    };
    const cut = () => fail(new Cut());
    request.open("PATCH", url);
    request.setRequestHeader("tus-resumable", VERSION);
    request.setRequestHeader("upload-offset", String(from));
    request.setRequestHeader("content-type", "application/offset+octet-stream");
    request.upload.onprogress = (event) => {
      heard = Date.now();
      progress(from + event.loaded);
    };
    request.onload = () => {
      settle();
      pieces.heed(request.getResponseHeader("upload-limit"));
      const reached = Number(request.getResponseHeader("upload-offset"));
      if (request.status === 204) resolve(reached);
      else reject(refusal(request.status, request.responseText, null));
    };
    request.onerror = () => fail(new Lost());
    if (signal.aborted) {
      cut();
      return;
    }
    signal.addEventListener("abort", cut);
    request.send(piece);
  });
}

/** Whether the server waits for our bytes: whoever holds a transfer up may do so for long. */
async function stillReceiving(url: string): Promise<void> {
  const { receiving } = await look(url, AbortSignal.timeout(SILENCE / 3));
  if (!receiving) throw new Lost();
}

/** Ask for what is told by the fields of the answer alone. */
async function request(...asked: Parameters<typeof ask>): Promise<Response> {
  const answer = await ask(...asked);
  await answer.arrayBuffer(); // nothing, but what is not read counts as broken off
  return answer;
}

async function ask(
  method: string,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method,
      headers: { "tus-resumable": VERSION, ...headers },
      signal,
    });
  } catch {
    throw signal.aborted ? new Cut() : new Lost();
  }
  pieces.heed(answer.headers.get("upload-limit"));
  if (!answer.ok) {
    const most = answer.headers.get("tus-max-size");
    throw refusal(answer.status, await answer.text(), most === null ? null : Number(most));
  }
  return answer;
}

/** What a problem document (RFC 9457) says, for people. */
function refusal(status: number, body: string, most: number | null): Refused {
  try {
    const { detail, title } = JSON.parse(body) as { detail?: string; title?: string };
    return new Refused(status, detail ?? title ?? "", most);
  } catch {
    return new Refused(status, "", most); // a proxy's page, or HEAD
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
