/** What the browser has a view of its own for: PDF, and pages, which get no rights of this one. */

import type { FileProps } from "./viewer";

export default function Document({ entry, address }: FileProps) {
  return entry.media_type === "application/pdf" ? (
    <iframe class="document" src={address} title={entry.name} />
  ) : (
    <iframe class="document" src={address} title={entry.name} sandbox="allow-scripts" />
  );
}
