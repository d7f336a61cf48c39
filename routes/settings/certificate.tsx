import { page } from "fresh";
import { CertificateDetails, CertificateWarnings } from "../../components/access/CertificateDetails.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { certificate as texts } from "../../lib/i18n/en/certificate.ts";
import { crumbs } from "../../lib/i18n/en/crumbs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);
const crumbTexts = textsOf(crumbs);
const AT = "/settings/certificate";

export const handler = define.handlers({
  async GET({ state }) {
    return page(await state.api.getCertificate().catch(fail));
  },
});

/** The certificate the server shows, where it is reached, and what to do when it ends. */
export default define.page<typeof handler>(function CertificatePage({ data, state }) {
  const { certificate, addresses } = data;
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={crumbTexts.t("crumbs.certificate")}>
        {certificate && <CertificateWarnings {...certificate} />}
        <p class="text-muted">{t("certificate.what")}</p>
        <p>
          {t("certificate.reached")}{" "}
          {addresses.map((address) => <code key={address} class="address">{address}</code>)}
        </p>
        {certificate !== null && (
          <>
            <CertificateDetails {...certificate} />
            <p class="text-muted">
              {certificate.origin === "files" ? t("certificate.from_files") : t("certificate.from_us")}
            </p>
          </>
        )}
      </Panel>
      {certificate === null && (
        <Empty icon="shield" title={t("certificate.none")}>
          <p>{t("certificate.none_what")}</p>
        </Empty>
      )}
    </SettingsPage>
  );
});
