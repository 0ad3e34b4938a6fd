/**
 * What outlives the page: which uploads have begun, and where.
 *
 * A page that is loaded again has no hold on the files; it asks for them, and knows them by name,
 * size and time. Without storage (a private window may have none) nothing outlives the page.
 */

export interface Begun {
  url: string;
  path: string;
  name: string;
  size: number;
  modified: number;
}

const KEY = "riverrun.uploads";

export function remembered(): Begun[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter(isBegun) : [];
  } catch {
    return [];
  }
}

export function remember(begun: Begun): void {
  write([...remembered().filter((other) => other.url !== begun.url), begun]);
}

export function forgotten(url: string): void {
  write(remembered().filter((other) => other.url !== url));
}

/** Whether `file` is the one that was chosen before the page was loaded again. */
export function isSame(
  begun: { name: string; size: number; modified: number },
  file: File,
): boolean {
  return (
    begun.name === file.name && begun.size === file.size && begun.modified === file.lastModified
  );
}

function write(list: Begun[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // full, or not allowed: then it does not outlive the page
  }
}

function isBegun(value: unknown): value is Begun {
  const { url, path, name, size, modified } = (value ?? {}) as Partial<Begun>;
  return (
    typeof url === "string" &&
    url.startsWith("/~/tus/") &&
    typeof path === "string" &&
    typeof name === "string" &&
    typeof size === "number" &&
    typeof modified === "number"
  );
}
