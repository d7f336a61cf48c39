// The service worker of notifications about alerts: a click on one opens the page it names. It has no `fetch` handler,
// so that every page and file comes from the server, never from a store of the browser.
self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(new URL(event.notification.data, self.registration.scope)));
});

/** Brings the window that shows an address to the front, or opens one. */
async function show(address) {
  if (!address.href.startsWith(self.registration.scope)) return;
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const shown = open.find(({ url }) => url === address.href);
  await (shown ? shown.focus() : self.clients.openWindow(address.href));
}
