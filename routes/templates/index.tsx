import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/kit/Empty.tsx";
import { TemplateCards } from "../../components/template/TemplateCards.tsx";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ list: await state.api.listTemplates().catch(fail) });
  },
});

/** The gallery of templates. */
export default define.page<typeof handler>(function Templates({ data: { list }, state }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.templates") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("templates.title")}</h1>
        {state.may("create_template") && (
          <div class="actions">
            <a class="button" href="/templates/new">{area.t("templates.of_image")}</a>
          </div>
        )}
      </header>
      {list.length > 0
        ? <TemplateCards list={list} mayCreate={state.may("create_vm_from_template")} />
        : (
          <Empty icon="cards" title={area.t("templates.empty")}>
            <p>{area.t("templates.empty_what")}</p>
            <a class="button primary" href="/vms">{area.t("templates.to_vms")}</a>
          </Empty>
        )}
    </>
  );
});
