// Takes away the pictures that were refused, by their host or address, for which the browser draws a frame in their
// place. Of pictures and frames that are gone for good the place goes too.
((hosts, urls, gone) => {
  const plain = address => {
    const url = URL.parse(address);
    if (url) url.hash = '';
    return url;
  };
  for (const e of document.querySelectorAll('img,iframe,frame,embed,object')) {
    if (e.localName === 'img' && (!e.complete || e.naturalWidth)) continue;
    const url = plain(e.currentSrc || e.src || e.data);
    if (!url) continue;
    if (gone?.includes(url.href)) e.style.setProperty('display', 'none', 'important');
    else if (e.localName === 'img' && (hosts?.includes(url.hostname) || urls?.includes(url.href))) e.style.setProperty('visibility', 'hidden', 'important');
  }
})