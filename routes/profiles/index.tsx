import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { profiles as texts } from "../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { READ_ENDINGS } from "../../lib/profiles/file.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ profiles: await state.api.listProfiles().catch(fail) });
  },
});

/** The profiles, and how one is made or imported. */
export default define.page<typeof handler>(function Profiles({ data: { profiles }, state }) {
  const typed = typedAgain(state.refused, "create_profile");
  const errorAt = (field: string) => refusalAt(state.refused, "create_profile", field);
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("profiles.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("profiles.title")}</h1>
        {state.may("list_tools") && (
          <span class="actions">
            <a class="button" href="/profiles/tools">{t("profiles.defined")}</a>
          </span>
        )}
      </header>
      <div class="storage-stack">
        <Panel title={t("profiles.title")}>
          <p class="pad text-muted">{t("profiles.what")}</p>
          <DataTable
            label={t("profiles.title")}
            rows={profiles}
            keyOf={({ id }) => id}
            attributesOf={({ name }) => ({ "data-profile": name })}
            empty={
              <Empty icon="cards" title={t("profiles.none")}>
                <p>{t("profiles.none_what")}</p>
              </Empty>
            }
            columns={[
              {
                title: t("profiles.name"),
                fit: "wrap",
                cell: ({ id, name }) => (
                  <a href={`/profiles/${encodeURIComponent(id)}`}>
                    <bdi>{oneLine(name, 64)}</bdi>
                  </a>
                ),
              },
              { title: t("profiles.tools"), kind: "number", cell: ({ tool_count }) => tool_count },
              { title: t("profiles.projects"), kind: "number", cell: ({ project_count }) => project_count },
              { title: t("profiles.changed"), cell: ({ updated_at }) => formatWhen(Date.parse(updated_at)) },
              {
                title: t("profiles.description"),
                fit: "wrap",
                cell: ({ description }) => description && <bdi>{oneLine(description, 200)}</bdi>,
              },
            ]}
          />
        </Panel>
        {state.may("create_profile") && (
          <>
            <Panel title={t("profiles.new")}>
              <form method="post" action={formHref("create_profile", {}, "/profiles/{id}", "/profiles")}>
                <div class="form-grid">
                  <TextField
                    name="name"
                    label={t("profiles.name")}
                    required
                    maxLength={64}
                    defaultValue={typed?.name ?? ""}
                    error={errorAt("name")}
                  />
                  <TextField
                    name="description"
                    label={t("profiles.description")}
                    maxLength={1000}
                    defaultValue={typed?.description ?? ""}
                    error={errorAt("description")}
                  />
                </div>
                <div class="form-actions">
                  <button type="submit" class="button primary">{t("profiles.create")}</button>
                </div>
              </form>
            </Panel>
            <Panel title={t("profiles.import")}>
              <p class="pad text-muted">{t("profiles.import_what")}</p>
              <form method="post" action="/profiles/import" encType="multipart/form-data">
                <div class="form-grid">
                  <TextField
                    label={t("profiles.file")}
                    name="file"
                    type="file"
                    required
                    accept={[".json", ...READ_ENDINGS].join(",")}
                  />
                </div>
                <div class="form-actions">
                  <button type="submit" class="button">{t("profiles.preview")}</button>
                </div>
              </form>
            </Panel>
          </>
        )}
      </div>
    </>
  );
});
