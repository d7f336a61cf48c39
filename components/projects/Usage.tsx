import { type Project, QUOTA_FIELDS, type QuotaField } from "../../lib/contract/mod.ts";
import { projects } from "../../lib/i18n/en/projects.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatDisk, formatMemory } from "../../lib/text/quantity.ts";
import { LoadBar } from "../kit/LoadBar.tsx";

const { t } = textsOf(projects);

/** A figure of a quota as people read it. */
export function quotaFigure(field: QuotaField, value: number): string {
  if (field === "memoryMb") return formatMemory(value);
  return field === "diskGb" ? formatDisk(value) : String(value);
}

/** Used share of a quota, as a text with a bar. */
export function UsageBar(
  { project: { quota, usage, over }, field }: {
    project: Pick<Project, "quota" | "usage" | "over">;
    field: QuotaField;
  },
) {
  const limit = quota[field], used = quotaFigure(field, usage[field]);
  if (limit === undefined) return <span class="text-muted">{t("projects.without_limit", { used })}</span>;
  const percent = limit === 0 ? usage[field] === 0 ? 0 : 100 : Math.min(100, usage[field] / limit * 100);
  const isOver = over.includes(field);
  return (
    <span class="stack" data-quota={field}>
      <span class={isOver ? "error-text" : undefined}>
        {t("projects.of_limit", { used, limit: quotaFigure(field, limit) })}
      </span>
      <LoadBar percent={percent} kind="storage" />
    </span>
  );
}

/** Fields in which a project is over its quota; nothing without one. */
export function OverQuota({ project: { over } }: { project: Pick<Project, "over"> }) {
  if (over.length === 0) return null;
  const what = QUOTA_FIELDS.filter((field) => over.includes(field)).map((field) =>
    t(`projects.quota.${field}`)
  );
  return <span class="error-text">{t("projects.over", { what: what.join(", ") })}</span>;
}
