/** Where files come in: dropped anywhere on the page, or chosen. */

import { useEffect, useRef, useState } from "preact/hooks";
import { fromDrop, fromInput } from "./chosen";
import { queue } from "./queue";
import "./uploads.css";

const SETTLING = 500; // milliseconds

interface IntakeProps {
  /** Where they go: `music/2026/`, "" for the root. */
  folder: string;
  /** Called when something has come to stand there, soon after. */
  onArrival?: () => void;
}

export default function Intake({ folder, onArrival }: IntakeProps) {
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);
  const arrival = useRef(onArrival);
  arrival.current = onArrival;
  useEffect(() => {
    let timer = 0;
    const leave = queue.onArrival((path) => {
      if (!path.startsWith(folder) || timer) return;
      timer = window.setTimeout(() => {
        timer = 0; // a thousand files that arrive are not a thousand readings of the folder
        arrival.current?.();
      }, SETTLING);
    });
    return () => {
      leave();
      window.clearTimeout(timer);
    };
  }, [folder]);
  const take = (input: HTMLInputElement) => {
    if (input.files) queue.add(fromInput(input.files), folder);
    input.value = ""; // the same file can be chosen again
  };
  return (
    <div class="intake">
      <Choice label="Upload files" short="Files" act={() => files.current?.click()} />
      <Choice label="Upload a folder" short="Folder" act={() => folders.current?.click()} />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <input
        ref={(input) => {
          folders.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        hidden
        aria-label="A folder to upload"
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <DropZone folder={folder} />
    </div>
  );
}

function Choice(props: { label: string; short: string; act: () => void }) {
  return (
    <button type="button" aria-label={props.label} onClick={props.act}>
      <span class="icon icon-upload narrow" aria-hidden="true" />
      <span class="wide">{props.label}</span>
      <span class="narrow">{props.short}</span>
    </button>
  );
}

/** The whole page takes what is dropped; while something hangs over it, it says where that goes. */
function DropZone({ folder }: { folder: string }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0; // elements under the pointer: each tells when it is entered and left
    const brings = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!brings(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!brings(event)) return;
      depth = Math.max(0, depth - 1);
      setOver(depth > 0);
    };
    const move = (event: DragEvent) => {
      if (!brings(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!brings(event) || !event.dataTransfer) return;
      event.preventDefault();
      void fromDrop(event.dataTransfer).then((chosen) => queue.add(chosen, folder));
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: move, drop } as const;
    for (const [name, hear] of Object.entries(listeners)) {
      window.addEventListener(name, hear as EventListener);
    }
    return () => {
      for (const [name, hear] of Object.entries(listeners)) {
        window.removeEventListener(name, hear as EventListener);
      }
    };
  }, [folder]);
  if (!over) return null;
  return (
    <div class="dropzone">
      <p>Drop to upload{folder === "" ? "" : ` into ${folder}`}</p>
    </div>
  );
}
