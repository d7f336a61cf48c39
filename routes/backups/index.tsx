import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/kit/Empty.tsx";
import BackupList from "../../islands/BackupList.tsx";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ list: await state.api.listBackups().catch(fail), now: Date.now() });
  },
});

/** The list of backups. */
export default define.page<typeof handler>(function Backups({ data: { list, now }, state }) {
  const mayCreate = state.may("create_backup");
  const may = { enable: state.may("enable_backup"), run: state.may("run_backup_now") };
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.backups") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("backups.title")}</h1>
        {mayCreate && (
          <span class="actions">
            <a class="button primary" href="/backups/new">{area.t("backups.new")}</a>
          </span>
        )}
      </header>
      {list.length === 0
        ? (
          <Empty icon="download" title={area.t("backups.empty")}>
            <p>{area.t("backups.empty_what")}</p>
            {mayCreate && <a class="button primary" href="/backups/new">{area.t("backups.new")}</a>}
          </Empty>
        )
        : <BackupList list={list} may={may} now={now} />}
    </>
  );
});
