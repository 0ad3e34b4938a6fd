/** What this server is and allows, as it has said in the document's head. */

interface Facts {
  allowed: string[];
}

const element = document.querySelector<HTMLMetaElement>('meta[name="riverrun"]');
const facts: Facts = element ? JSON.parse(element.content) : { allowed: [] };

export type Permission = "upload" | "overwrite" | "delete" | "streams" | "steer" | "watch";

export function allowed(permission: Permission): boolean {
  return facts.allowed.includes(permission);
}
