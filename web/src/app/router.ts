/**
 * Where the page is: an address, which one function of the app turns into a view.
 *
 * Links are ordinary links. Those that lead to a folder or to a view of ours are followed without
 * loading a document; all others, and those opened in another tab, are the browser's.
 */

import { useEffect, useState } from "preact/hooks";

const VIEWS = new Set(["/~/uploads", "/~/flows", "/~/streams"]);
const changed = new EventTarget();

export interface Place {
  /** The path as the address has it, encoded. */
  path: string;
  query: URLSearchParams;
  /** Of the file that is open in its folder, as its link has it; "" for none. */
  file: string;
}

export function here(): Place {
  return {
    path: location.pathname,
    query: new URLSearchParams(location.search),
    file: location.hash.slice(1),
  };
}

/** Go to an address of ours; with `replace` the one before is forgotten. */
export function go(address: string, { replace = false } = {}): void {
  const before = location.pathname;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  if (location.pathname !== before) scrollTo(0, 0);
  changed.dispatchEvent(new Event("change"));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const update = () => setPlace(here());
    changed.addEventListener("change", update);
    addEventListener("popstate", update);
    document.addEventListener("click", follow);
    return () => {
      changed.removeEventListener("change", update);
      removeEventListener("popstate", update);
      document.removeEventListener("click", follow);
    };
  }, []);
  return place;
}

/** Whether an address is shown by this page rather than by the browser. */
export function isOurs(url: URL): boolean {
  return url.origin === location.origin && (VIEWS.has(url.pathname) || url.pathname.endsWith("/"));
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (!isOurs(url)) return;
  event.preventDefault();
  go(url.pathname + url.search + url.hash);
}
