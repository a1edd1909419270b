// What a page tries runs at once; the capture may take place when the site says so.
const settle = (promise, ms) => Promise.race([promise, new Promise(r => setTimeout(r, ms))]).catch(() => 0);
const finish = async (page, tries) => {
  await Promise.all(Object.values(tries).map(f => settle(new Promise(r => { try { r(f()) } catch (e) { r(0) } }), 8000)));
  for (;;) {
    const said = await fetch('/progress?page=' + page).then(r => r.text(), () => '');
    if (said === 'yes') break;
    await new Promise(r => setTimeout(r, 100));
  }
  const done = document.createElement('div');
  done.id = 'done';
  done.textContent = 'done';
  document.documentElement.append(done);
};
const loaded = new Promise(r => addEventListener('load', r));
const socket = (url) => new Promise(r => { const s = new WebSocket(url); s.onopen = s.onclose = s.onerror = r; });
