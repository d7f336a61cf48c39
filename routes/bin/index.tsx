import { page } from "fresh";
import { Head } from "fresh/runtime";
import { BinSettings } from "../../components/bin/BinSettings.tsx";
import { RestoreForm } from "../../components/bin/RestoreForm.tsx";
import BinList from "../../islands/BinList.tsx";
import { bin as texts } from "../../lib/i18n/en/bin.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, url }) {
    const [entries, usage] = await Promise.all([state.api.listBin(), state.api.getBinUsage()]).catch(fail);
    const restoring = entries.find(({ id }) => id === url.searchParams.get("restore"));
    return page({ bin: { entries, usage }, restoring, now: Date.now() });
  },
});

/** Page of the deleted VMs and volumes that can be restored. */
export default define.page<typeof handler>(function BinPage({ data: { bin, restoring, now }, state }) {
  const { refused } = state;
  const mayEmpty = state.may("empty_bin");
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.bin") })}</title>
      </Head>
      {restoring !== undefined && <RestoreForm entry={restoring} refused={refused} />}
      <BinList bin={bin} now={now} mayEmpty={mayEmpty} title={area.t("bin.title")} />
      {state.may("update_bin_policy") && <BinSettings policy={bin.usage.policy} refused={refused} />}
    </>
  );
});
