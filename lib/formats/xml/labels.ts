/** Tags and group in a domain's metadata: what schedules, backups and rights find VMs by. */
import type { LostLabels, VmLabels } from "../../contract/vm.ts";
import type { XmlDocument } from "./edit.ts";
import { setCreatedAt } from "./identity.ts";
import { METADATA_PREFIX } from "./metadata.ts";
import { xml } from "./build.ts";
import { child, children, type XmlElement } from "./tree.ts";

const ownOf = (document: XmlDocument): XmlElement | undefined =>
  document.find("metadata", `${METADATA_PREFIX}:vm`);

const namesOf = (name: string): string[] => [name, `${METADATA_PREFIX}:${name}`];

/** The tags and the group that a definition has. */
export function labelsIn(document: XmlDocument): LostLabels {
  const own = ownOf(document);
  const tags = namesOf("tag").flatMap((name) => children(own, name).map(({ text }) => text));
  const group = namesOf("group").map((name) => child(own, name)?.text).find((text) => text !== undefined);
  return { tags, ...(group !== undefined && { group }) };
}

/**
 * Gives a definition these tags and this group in the place of its own.
 *
 * @param createdAt of a VM of which nothing was noted yet, in milliseconds since 1970
 */
export function setLabels(document: XmlDocument, { tags, group }: VmLabels, createdAt: number): void {
  for (const name of [...namesOf("tag"), ...namesOf("group")]) {
    for (let found = child(ownOf(document), name); found; found = child(ownOf(document), name)) {
      document.remove(found);
    }
  }
  if (tags.length === 0 && group === undefined) return;
  if (ownOf(document) === undefined) setCreatedAt(document, createdAt);
  for (const tag of tags) document.append(ownOf(document)!, xml(`${METADATA_PREFIX}:tag`, {}, tag));
  if (group !== undefined) document.append(ownOf(document)!, xml(`${METADATA_PREFIX}:group`, {}, group));
}

/** Takes tags and group out of the definition of a VM that is made from another one. @returns what it had */
export function dropLabels(document: XmlDocument): LostLabels {
  const labels = labelsIn(document);
  setLabels(document, { tags: [] }, 0);
  return labels;
}
