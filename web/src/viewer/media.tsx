/**
 * Video and sound: they play at once, say what is buffered, go on after a lost connection from where
 * they stood, remember the place, and are steered by keys.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { position } from "../app/format";
import { Notice } from "../app/notice";
import { kindOf } from "../folder/entries";
import { type Captions, captionsOf, loadCaptions } from "./captions";
import { isTheirs, obey, SHORTCUTS } from "./media_keys";
import type { FileProps } from "./viewer";

const PLACES = "riverrun.places"; // where each recording was left, by its address
const KEPT = 200;
const SETTLED = 5; // seconds at either end that are not worth remembering
const RETRY = 1_500; // milliseconds
const SAID = 2_000; // milliseconds that what a key did is shown

export default function Media({ entry, address, listing, onPlayed }: FileProps) {
  const media = useRef<HTMLVideoElement & HTMLAudioElement>(null);
  const [ahead, setAhead] = useState(0);
  const [trouble, setTrouble] = useState<"none" | "lost" | "unplayable">("none");
  const captions = useCaptions(captionsOf(entry, listing.entries), listing.path);
  const said = useKeys(media);

  useEffect(() => {
    const element = media.current;
    if (!element) return;
    const kept = placeOf(address);
    if (kept) element.currentTime = kept;
    const leave = () => remember(address, element);
    addEventListener("pagehide", leave);
    return () => {
      leave();
      removeEventListener("pagehide", leave);
      element.removeAttribute("src");
      element.load(); // this ends the transfer
    };
  }, [address]);

  useEffect(() => {
    if (trouble !== "lost") return;
    const again = () => {
      const element = media.current;
      if (!element) return;
      const at = element.currentTime || placeOf(address);
      element.load();
      element.currentTime = at;
      void element.play().catch(() => undefined);
    };
    const timer = setInterval(again, RETRY);
    return () => clearInterval(timer);
  }, [trouble]);

  const failed = () => {
    const element = media.current;
    if (!element) return;
    remember(address, element);
    // What plays already is no file of an unknown kind: the network failed.
    const known = element.readyState > 0 || element.currentTime > 0 || trouble === "lost";
    const network = element.error?.code === MediaError.MEDIA_ERR_NETWORK || !navigator.onLine;
    setTrouble(known || network ? "lost" : "unplayable");
  };
  const measure = () => {
    const element = media.current;
    if (element) setAhead(bufferedAhead(element));
  };
  const Kind = kindOf(entry) === "video" ? "video" : "audio";
  if (trouble === "unplayable") {
    return (
      <Notice
        icon={kindOf(entry)}
        title="This browser cannot play the recording"
        text={entry.media_type ?? ""}
        actions={[{ label: "Download", act: () => location.assign(`${address}?download`) }]}
      />
    );
  }
  return (
    <figure class={Kind === "audio" ? "media media-sound" : "media"}>
      {Kind === "audio" && <span class="icon icon-sound" aria-hidden="true" />}
      <Kind
        ref={media}
        src={address}
        controls
        autoplay
        playsInline
        preload="auto"
        aria-label={entry.name}
        aria-keyshortcuts={SHORTCUTS}
        onProgress={measure}
        onSuspend={measure}
        onSeeked={measure}
        onTimeUpdate={measure}
        onPlaying={() => setTrouble("none")}
        onPause={() => media.current && remember(address, media.current)}
        onEnded={() => onPlayed?.()}
        onError={failed}
      >
        {captions.map(({ label, language, source }, index) => (
          <track
            key={source}
            kind="subtitles"
            label={label}
            srclang={language}
            src={source}
            default={index === 0}
          />
        ))}
      </Kind>
      <figcaption>
        {/* What is buffered changes all the time: that is to be seen, and not to be read out. */}
        {said || trouble === "lost" || ahead < 1 ? "" : `${position(ahead)} buffered ahead`}
        <span role="status">
          {trouble === "lost"
            ? "The connection was lost. It goes on from here when the server answers."
            : said}
        </span>
      </figcaption>
    </figure>
  );
}

/** Steer the recording by keys, wherever in the viewer they are pressed; gives what is to be said. */
function useKeys(media: { readonly current: HTMLMediaElement | null }): string {
  const [said, setSaid] = useState("");
  useEffect(() => {
    let timer = 0;
    const press = (event: KeyboardEvent) => {
      const element = media.current;
      const target = event.target as Element;
      const dialog = target.closest("dialog"); // that of the keys may lie over this one
      if (!element || (dialog !== null && !dialog.contains(element))) return;
      if (event.ctrlKey || event.metaKey || event.altKey || isTheirs(event.key, target)) return;
      const words =
        event.key.toLowerCase() === "f" ? wholeScreen(element) : obey(event.key, element);
      if (words === null) return;
      event.preventDefault();
      if (words === "") return;
      setSaid(words);
      clearTimeout(timer);
      timer = window.setTimeout(() => setSaid(""), SAID);
    };
    addEventListener("keydown", press);
    return () => {
      removeEventListener("keydown", press);
      clearTimeout(timer);
    };
  }, []);
  return said;
}

/** Let a film fill the screen, or take it back. */
function wholeScreen(element: HTMLMediaElement): string | null {
  if (!(element instanceof HTMLVideoElement)) return null;
  const done = document.fullscreenElement
    ? document.exitFullscreen()
    : element.requestFullscreen?.();
  void done?.catch(() => undefined); // a browser may not let it
  return "";
}

/** Seconds that can be played from here without another byte. */
export function bufferedAhead(element: Pick<HTMLMediaElement, "buffered" | "currentTime">): number {
  const { buffered, currentTime } = element;
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime && currentTime <= buffered.end(index)) {
      return buffered.end(index) - currentTime;
    }
  }
  return 0;
}

function useCaptions(found: readonly Captions[], path: string) {
  const [loaded, setLoaded] = useState<(Captions & { source: string })[]>([]);
  const names = found.map(({ href }) => href).join();
  useEffect(() => {
    let wanted = true;
    const all = found.map(async (each) => ({
      ...each,
      source: await loadCaptions(path + each.href),
    }));
    void Promise.allSettled(all).then((results) => {
      const here = results.flatMap((result) =>
        result.status === "fulfilled" ? [result.value] : [],
      );
      if (wanted) setLoaded(here);
      else for (const { source } of here) URL.revokeObjectURL(source);
    });
    return () => {
      wanted = false;
    };
  }, [names]);
  return loaded;
}

function places(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(PLACES) ?? "{}");
  } catch {
    return {};
  }
}

function placeOf(address: string): number {
  return places()[address] ?? 0;
}

function remember(address: string, element: HTMLMediaElement): void {
  const { currentTime, duration } = element;
  const { [address]: _, ...others } = places();
  const worth = currentTime > SETTLED && !(duration - currentTime < SETTLED);
  const entries = Object.entries(others).slice(-KEPT);
  if (worth) entries.push([address, currentTime]);
  localStorage.setItem(PLACES, JSON.stringify(Object.fromEntries(entries)));
}
