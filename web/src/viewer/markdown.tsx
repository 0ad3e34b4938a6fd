/** Markdown as a page. What others wrote is cleaned of all that could run or reach out. */

import DOMPurify from "dompurify";
import { marked } from "marked";
import { useEffect, useRef } from "preact/hooks";

export default function Markdown({ text, address }: { text: string; address: string }) {
  const page = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!page.current) return;
    const html = marked.parse(text, { async: false });
    const clean = DOMPurify.sanitize(html, {
      RETURN_DOM_FRAGMENT: true,
      USE_PROFILES: { html: true },
      FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "iframe"],
      FORBID_ATTR: ["style", "class", "id"],
    });
    const base = new URL(address, location.href);
    for (const image of clean.querySelectorAll("img")) {
      const source = new URL(image.getAttribute("src") ?? "", base);
      // The page loads nothing from elsewhere; without this it would be refused, and told so.
      if (source.origin === location.origin) image.src = source.href;
      else image.replaceWith(image.alt);
    }
    for (const link of clean.querySelectorAll("a")) {
      const target = new URL(link.getAttribute("href") ?? "", base);
      link.href = target.href;
      if (target.origin !== location.origin) link.rel = "noopener noreferrer";
      link.target = "_blank";
    }
    // What is wider than the page is scrolled by keys, too.
    for (const block of clean.querySelectorAll("pre")) block.tabIndex = 0;
    page.current.replaceChildren(clean);
  }, [text, address]);
  return <article class="markdown" ref={page} />;
}
