import type { ProjectDetails } from "../../lib/contract/mod.ts";
import { QUOTA_FIELDS } from "../../lib/contract/mod.ts";
import { projects as texts } from "../../lib/i18n/en/projects.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { DEFAULTS, LISTS, type ProjectTyped } from "../../lib/projects/settings_form.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

const suffix = (field: string) =>
  field === "memoryMb" ? "MiB" : field === "diskGb" || field === "diskSizeGb" ? "GiB" : undefined;

/** Props of {@link ProjectQuotaForm}. */
export interface ProjectQuotaFormProps {
  project: ProjectDetails;
  refused: PageState["refused"];
  /** Path of the page that the form is on. */
  here: string;
}

/** The form of a project's quota. */
export function ProjectQuotaForm({ project, refused, here }: ProjectQuotaFormProps) {
  const again = typedAgain(refused, "set_quota");
  return (
    <Panel title={t("projects.quota")}>
      <p class="pad text-muted">{t("projects.quota_what")}</p>
      <form method="post" action={formHref("set_quota", { projectId: project.id }, here)}>
        <div class="form-grid">
          {QUOTA_FIELDS.map((field) => (
            <TextField
              key={field}
              name={field}
              label={t(`projects.quota.${field}`)}
              hint={t("projects.unlimited")}
              suffix={suffix(field)}
              defaultValue={again?.[field] ?? String(project.quota[field] ?? "")}
              error={refusalAt(refused, "set_quota", field)}
            />
          ))}
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{t("projects.save")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** The form of a project's name, places and defaults. */
export function ProjectSettingsForm({ typed }: { typed: ProjectTyped }) {
  return (
    <Panel title={t("projects.settings")}>
      <form method="post">
        <input type="hidden" name="what" value="settings" />
        <div class="form-grid">
          <TextField
            name="name"
            label={t("projects.name")}
            required
            maxLength={64}
            defaultValue={typed.name}
          />
          <TextField
            name="description"
            label={t("projects.description")}
            maxLength={1000}
            defaultValue={typed.description}
          />
          {LISTS.map((field) => (
            <TextField
              key={field}
              name={field}
              label={t(`projects.${field}`)}
              hint={t("projects.names_hint")}
              defaultValue={typed[field]}
            />
          ))}
        </div>
        <h3 class="pad">{t("projects.defaults")}</h3>
        <p class="pad text-muted">{t("projects.defaults_what")}</p>
        <div class="form-grid">
          {DEFAULTS.map((field) => (
            <TextField
              key={field}
              name={field}
              label={t(`projects.default.${field}`)}
              suffix={suffix(field)}
              defaultValue={typed[field]}
              {...(field === "tags" && { hint: t("projects.tags_hint") })}
            />
          ))}
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{t("projects.save")}</button>
        </div>
      </form>
    </Panel>
  );
}
