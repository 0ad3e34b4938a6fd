/**
 * The page takes the place of the document that the server has sent.
 *
 * That document is complete: whoever has no scripts reads on in it. Where this runs, the listing
 * is asked for again, as a stream of entries, and nothing of the document is kept.
 */

import { render } from "preact";
import { App } from "./app/app";
import "./styles/page.css";

function takeOver(): void {
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
else takeOver();
