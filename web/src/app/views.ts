/**
 * The views that are no folders. To add one: a folder below `src/` with a `view.tsx` that exports
 * a component by default, an entry here, its path in `router.ts`, and a `Views` on the server.
 */

import type { ComponentType } from "preact";
import { allowed } from "./server";

export interface View {
  path: string;
  label: string;
  icon: string;
  load: () => Promise<{ default: ComponentType }>;
}

const all: (View & { shown: () => boolean })[] = [];

export const VIEWS: readonly View[] = all.filter((view) => view.shown());
export { allowed };
