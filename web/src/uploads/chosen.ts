/** What a person has chosen or dropped, as files with the paths that they had. */

export interface Chosen {
  file: File;
  /** Below what was dropped: `holiday/day 1/a.jpg`, or only a name. */
  path: string;
}

/** The files of an `<input>`, one for folders too. */
export function fromInput(list: FileList): Chosen[] {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** The files of a drop, with those in the folders that were dropped. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  // The list is empty once this function has waited for anything.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const found: Chosen[] = [];
  for (const entry of entries) if (entry !== null) await collect(entry, "", found);
  return found;
}

/** What the system leaves in folders, and nobody means to send. */
export function isHidden(path: string): boolean {
  return path.split("/").some((name) => name.startsWith("."));
}

async function collect(entry: FileSystemEntry, above: string, found: Chosen[]): Promise<void> {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    found.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject); // a hundred at a time
    });
    if (some.length === 0) return;
    for (const below of some) await collect(below, `${path}/`, found);
  }
}
