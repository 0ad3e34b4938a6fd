/**
 * The page takes the place of the document that the server has sent.
 *
 * That document is complete: whoever has no scripts reads on in it. Where this runs, the listing
 * is asked for again, as a stream of entries, and nothing of the document is kept. It stands until
 * the first of them are here: in a large folder that takes a moment, in which there is to read.
 */

import { render } from "preact";
import { App } from "./app/app";
import { here } from "./app/router";
import { VIEWS } from "./app/views";
import { orderingOf } from "./folder/entries";
import { prepare } from "./folder/use_listing";
import "./styles/page.css";

async function takeOver(): Promise<void> {
  const { path, query } = here();
  if (!VIEWS.some((view) => view.path === path)) await prepare(path, orderingOf(query));
  for (const style of document.head.querySelectorAll("style")) style.remove();
  const root = document.createElement("div");
  root.id = "app";
  // Another body, not the same one with other margins: what a person sees is new, and not moved.
  const body = document.createElement("body");
  body.append(root);
  document.body.replaceWith(body);
  render(<App />, root);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", takeOver);
else void takeOver();
