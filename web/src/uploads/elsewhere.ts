/** The unfinished uploads that the server knows, whoever sends them and in whatever way. */

export interface Known {
  id: string;
  dialect: string;
  state: string;
  receiving: boolean;
  offset: number;
  length: number | null;
  created: string;
  expires: string;
  target?: string;
}

const ADDRESS = "/~/uploads/";

/** Those that are not whole. Throws when the server cannot be reached or refuses. */
export async function unfinished(): Promise<Known[]> {
  const answer = await fetch(ADDRESS, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const all = (await answer.json()) as Known[];
  return all.filter(({ state }) => state !== "complete");
}

export async function giveUp({ id }: Known): Promise<void> {
  await fetch(ADDRESS + id, { method: "DELETE" });
}
