// What a page or a worker says of the browser that it is in: a request to /empty has it in its query.
const tell = async who => {
  const n = navigator, d = n.userAgentData, s = self.screen;
  const asked = ['architecture', 'bitness', 'formFactors', 'fullVersionList', 'model', 'platformVersion', 'uaFullVersion', 'wow64'];
  const brands = list => list.map(b => b.brand + ' ' + b.version).join(', ');
  const more = d ? await d.getHighEntropyValues(asked) : null;
  const is = {
    agent: n.userAgent, platform: n.platform, languages: n.languages.join(), language: n.language, webdriver: n.webdriver, touches: n.maxTouchPoints,
    brands: d && brands(d.brands), mobile: d?.mobile, full: more && brands(more.fullVersionList),
    system: more && [more.platform, more.platformVersion, more.architecture, more.bitness, more.model, more.formFactors, more.uaFullVersion].join(),
  };
  if (s) {
    is.screen = [s.width, s.height, s.availWidth, s.availHeight, s.colorDepth].join();
    is.window = [outerWidth, outerHeight, innerWidth, innerHeight, screenX, screenY].join();
    is.media = ['(hover: hover)', '(pointer: fine)', '(hover: none)', '(pointer: coarse)'].filter(q => matchMedia(q).matches).join();
  }
  await fetch('/empty?' + who + '=' + encodeURIComponent(JSON.stringify(is)));
  new BroadcastChannel('told').postMessage(who);
};
if (!self.document) {
  const telling = tell(location.search.slice(1));
  self.addEventListener('install', e => e.waitUntil(telling));
}
