/** Templates in words. Pure. */
import type { TemplateVersion } from "../contract/mod.ts";
import { formatBytes } from "../text/quantity.ts";
import { templates } from "../i18n/en/templates.ts";
import { textsOf } from "../i18n/mod.ts";

const { t } = textsOf(templates);

/** Address of a template's page. */
export const templateHref = (id: string): string => `/templates/${encodeURIComponent(id)}`;

/** The address of the page that copies a template to another host. */
export const copyTemplateHref = (id: string): string => `${templateHref(id)}/copy`;

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

/** How large the disks are that a guest sees, and what they take. */
export function diskText({ disks }: Pick<TemplateVersion, "disks">): string {
  if (disks.length === 0) return t("templates.no_disks");
  const seen = formatBytes(sum(disks.map(({ capacityBytes }) => capacityBytes)));
  const size = formatBytes(sum(disks.map(({ allocationBytes }) => allocationBytes)));
  return `${seen} (${t("templates.on_host", { size })})`;
}
