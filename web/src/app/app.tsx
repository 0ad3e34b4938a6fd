/** The frame around every view, and which view an address stands for. */

import { Folder } from "../folder/folder";
import { Bar } from "./bar";
import { lazy } from "./lazy";
import { usePlace } from "./router";
import { takesFiles, VIEWS } from "./views";

const Dock = lazy(() => import("../uploads/dock"), { quiet: true });
const views = VIEWS.map((view) => ({ ...view, View: lazy(view.load) }));

export function App() {
  const place = usePlace();
  const shown = views.find((view) => view.path === place.path);
  return (
    <>
      <Bar place={place} />
      {shown ? <shown.View /> : <Folder key={place.path} place={place} />}
      {takesFiles() && place.path !== "/~/uploads" && <Dock inFolder={shown === undefined} />}
    </>
  );
}
