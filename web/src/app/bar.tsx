/** The bar at the top: home, the way here, and the views. */

import { decode } from "./format";
import type { Place } from "./router";
import { VIEWS } from "./views";

export function Bar({ place }: { place: Place }) {
  const inFolder = !VIEWS.some((view) => view.path === place.path);
  return (
    <header class="bar">
      <a class="brand" href="/" aria-label="riverrun, all files">
        <span class="icon icon-waves" aria-hidden="true" />
        <span class="brand-name">riverrun</span>
      </a>
      {VIEWS.length > 0 && (
        <nav aria-label="Views" class="views">
          <a href="/" aria-current={inFolder ? "page" : undefined}>
            <span class="icon icon-folder" aria-hidden="true" />
            <span>Files</span>
          </a>
          {VIEWS.map((view) => (
            <a
              key={view.path}
              href={view.path}
              aria-current={view.path === place.path ? "page" : undefined}
            >
              <span class={`icon icon-${view.icon}`} aria-hidden="true" />
              <span>{view.label}</span>
            </a>
          ))}
        </nav>
      )}
    </header>
  );
}

/** The folders that lead to this one, as links. */
export function Crumbs({ path }: { path: string }) {
  const segments = path.split("/").filter(Boolean);
  const name = segments.pop();
  if (name === undefined) return <h1>Files</h1>;
  return (
    <>
      <nav aria-label="Folders above" class="crumbs">
        <ol>
          <li>
            <a href="/">Files</a>
          </li>
          {segments.map((segment, depth) => {
            const address = `/${segments.slice(0, depth + 1).join("/")}/`;
            return (
              <li key={address}>
                <a href={address}>{decode(segment)}</a>
              </li>
            );
          })}
        </ol>
      </nav>
      <h1>{decode(name)}</h1>
    </>
  );
}
