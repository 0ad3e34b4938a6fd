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

const all: (View & { shown: () => boolean })[] = [
  {
    path: "/~/uploads",
    label: "Uploads",
    icon: "upload",
    load: () => import("../uploads/view"),
    shown: takesFiles,
  },
  {
    path: "/~/flows",
    label: "Transfers",
    icon: "flows",
    load: () => import("../flows/view"),
    shown: () => true,
  },
  {
    path: "/~/streams",
    label: "Streams",
    icon: "streams",
    load: () => import("../streams/view"),
    shown: () => allowed("streams"),
  },
];

/** Whether any file may come in. */
export function takesFiles(): boolean {
  return allowed("upload") || allowed("overwrite");
}

export const VIEWS: readonly View[] = all.filter((view) => view.shown());
export { allowed };
