/** What a server lets an upload have: the field Upload-Limit (draft-ietf-httpbis-resumable-upload). */

/** In bytes; null where nothing is said. */
export interface Limits {
  /** Of the whole upload. */
  most: number | null;
  /** Of one request, and the least of one that is not the last. */
  mostOfRequest: number | null;
  leastOfRequest: number | null;
}

const NONE: Limits = { most: null, mostOfRequest: null, leastOfRequest: null };

// A dictionary of structured fields (RFC 9651): members by commas, each with an item and parameters.
const KEY = "[a-z*][a-z0-9_.*-]*";
const ITEM = String.raw`-?\d{1,15}(?:\.\d{1,3})?|"(?:[ !#-\[\]-~]|\\["\\])*"|[A-Za-z*][\w!#$%&'*+.^|~:/\x60-]*|:[\w+/=]*:|\?[01]`;
const MEMBER = new RegExp(`^(${KEY})(?:=(${ITEM}))?(?:; *${KEY}(?:=(?:${ITEM}))?)*`);

/** Read the field; what is no dictionary, or has a limit that is no size, counts as not said. */
export function readLimits(field: string | null): Limits {
  const members = new Map<string, string>();
  let rest = field?.trim() ?? "";
  while (rest !== "") {
    const found = MEMBER.exec(rest);
    if (found === null) return NONE;
    const [text, name = "", item = "?1"] = found;
    members.set(name, item);
    rest = rest.slice(text.length).trimStart();
    if (rest === "") break;
    if (!rest.startsWith(",")) return NONE;
    rest = rest.slice(1).trimStart();
    if (rest === "") return NONE; // a comma must have something behind it
  }
  const sizes = ["max-size", "max-append-size", "min-append-size"].map((name) => {
    const item = members.get(name);
    if (item === undefined) return null;
    return /^\d+$/.test(item) ? Number(item) : Number.NaN;
  });
  if (sizes.some(Number.isNaN)) return NONE;
  const [most = null, mostOfRequest = null, leastOfRequest = null] = sizes;
  return { most, mostOfRequest, leastOfRequest };
}
