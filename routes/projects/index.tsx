import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { OverQuota, UsageBar } from "../../components/projects/Usage.tsx";
import { QUOTA_FIELDS } from "../../lib/contract/mod.ts";
import { projects as texts } from "../../lib/i18n/en/projects.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ projects: await state.api.listProjects().catch(fail) });
  },
});

/** The projects, with what they use of their quotas. */
export default define.page<typeof handler>(function Projects({ data: { projects }, state }) {
  const typed = typedAgain(state.refused, "create_project");
  const errorAt = (field: string) => refusalAt(state.refused, "create_project", field);
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("projects.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("projects.title")}</h1>
      </header>
      <div class="storage-stack">
        <Panel title={t("projects.title")}>
          <p class="pad text-muted">{t("projects.what")}</p>
          <DataTable
            label={t("projects.title")}
            rows={projects}
            keyOf={({ id }) => id}
            attributesOf={({ name }) => ({ "data-project": name })}
            empty={
              <Empty icon="folder" title={t("projects.none")}>
                <p>{t("projects.none_what")}</p>
              </Empty>
            }
            columns={[
              {
                title: t("projects.name"),
                fit: "wrap",
                cell: (project) => (
                  <span class="stack">
                    <a href={`/projects/${encodeURIComponent(project.id)}`}>
                      <bdi>{oneLine(project.name, 60)}</bdi>
                    </a>
                    <OverQuota project={project} />
                  </span>
                ),
              },
              ...QUOTA_FIELDS.map((field) => ({
                title: t(`projects.quota.${field}`),
                cell: (project: typeof projects[number]) => <UsageBar project={project} field={field} />,
              })),
              {
                title: t("projects.description"),
                fit: "wrap",
                cell: ({ description }) => description === "" ? null : <bdi>{oneLine(description, 200)}</bdi>,
              },
            ]}
          />
        </Panel>
        {state.may("create_project") && (
          <Panel title={t("projects.new")}>
            <form method="post" action={formHref("create_project", {}, "/projects/{id}", "/projects")}>
              <div class="form-grid">
                <TextField
                  name="name"
                  label={t("projects.name")}
                  required
                  maxLength={64}
                  defaultValue={typed?.name ?? ""}
                  error={errorAt("name")}
                />
                <TextField
                  name="description"
                  label={t("projects.description")}
                  maxLength={1000}
                  defaultValue={typed?.description ?? ""}
                  error={errorAt("description")}
                />
                {QUOTA_FIELDS.map((field) => (
                  <TextField
                    key={field}
                    name={`quota.${field}`}
                    label={`${t("projects.quota")}: ${t(`projects.quota.${field}`)}`}
                    hint={t("projects.unlimited")}
                    suffix={field === "memoryMb" ? "MiB" : field === "diskGb" ? "GiB" : undefined}
                    defaultValue={typed?.[`quota.${field}`] ?? ""}
                    error={errorAt(`quota.${field}`)}
                  />
                ))}
              </div>
              <div class="form-actions">
                <button type="submit" class="button primary">{t("projects.create")}</button>
              </div>
            </form>
          </Panel>
        )}
      </div>
    </>
  );
});
