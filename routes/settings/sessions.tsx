import { page } from "fresh";
import { RowButton } from "../../components/access/RowButton.tsx";
import { ScrollTable } from "../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { Moment } from "../../components/Moment.tsx";
import { Panel } from "../../components/Panel.tsx";
import { textIn } from "../../lib/format/form_fields.ts";
import { oneLine } from "../../lib/format/text.ts";
import { formatMoment } from "../../lib/format/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/sessions";

export const handler = define.handlers({
  async GET({ state, url }) {
    const all = state.user?.administrator === true && url.searchParams.has("all");
    const own = state.user?.hasAccount || all || state.user?.administrator;
    return page({
      all,
      now: Date.now(),
      sessions: own ? await state.api.listSessions({ all }).catch(fail) : [],
    });
  },
  async POST({ req, state, redirect }) {
    const sessionId = textIn(await req.formData(), "session");
    await state.api.revokeSession({ sessionId }).catch(fail);
    return redirect(`${AT}?done=revoked`, 303);
  },
});

/** Where one is signed in; where everybody is, for administrators. */
export default define.page<typeof handler>(function Sessions({ data: { all, now, sessions }, state, url }) {
  return (
    <SettingsPage at={AT} user={state.user} url={url}>
      <Panel
        title={t("access.sessions")}
        aside={state.user?.administrator && (
          <a href={all ? AT : `${AT}?all`}>{all ? t("access.sessions_own") : t("access.sessions_all")}</a>
        )}
      >
        <p class="muted">{t("access.sessions_what")}</p>
        <ScrollTable of={t("access.sessions")}>
          <thead>
            <tr>
              <th scope="col">{t("access.owner")}</th>
              <th scope="col">{t("access.session_client")}</th>
              <th scope="col">{t("access.session_from")}</th>
              <th scope="col">{t("access.session_since")}</th>
              <th scope="col">{t("access.last_used")}</th>
              <th scope="col">{t("access.session_ends")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {sessions.map((session) => (
              <tr key={session.id}>
                <th scope="row">{session.userName}</th>
                <td title={session.client}>
                  {oneLine(session.client, 48)}{" "}
                  {session.current && <small>({t("access.session_this")})</small>}
                </td>
                <td>{session.address}</td>
                <td>
                  <Moment at={session.createdAt} now={now} />
                </td>
                <td>
                  <Moment at={session.lastUsedAt} now={now} />
                </td>
                <td>{formatMoment(session.endsAt)}</td>
                <td>
                  <RowButton
                    name="session"
                    value={session.id}
                    text={t("access.revoke")}
                    label={t("access.revoke_named", {
                      name: `${session.userName}, ${session.address}, ${formatMoment(session.createdAt)}`,
                    })}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </ScrollTable>
      </Panel>
    </SettingsPage>
  );
});
