// Makes internal/blocklist/testdata/answers.json.gz: requests, and what @ghostery/adblocker says of each with EasyList alone
// and with EasyList and EasyPrivacy together. The requests are made from the lists' own rules, every so manieth of them, as
// they would be asked for, and with small changes that should make a difference.
//
//   npm install --no-save @ghostery/adblocker@2.18.2 && node scripts/blocklist-answers.mjs
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import {FiltersEngine, Request} from '@ghostery/adblocker';

const folder = path.join(import.meta.dirname, '..', 'internal', 'blocklist');
const list = name => zlib.gunzipSync(fs.readFileSync(path.join(folder, 'data', name + '.txt.gz'))).toString();
const ads = list('easylist'), trackers = list('easyprivacy');

// The same numbers every time.
let state = 20261126;
const random = n => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 4294967296 * n); };
const pick = from => from[random(from.length)];

const types = ['script', 'image', 'stylesheet', 'xmlhttprequest', 'subdocument', 'ping', 'media', 'font', 'websocket', 'other'];
const sites = ['https://www.example.com/', 'https://news.example.org/today/page.html?x=1', 'https://shop.example.co.uk/', 'http://192.0.2.7/',
  'https://www.nytimes.com/', 'https://www.bbc.co.uk/news', 'https://www.youtube.com/watch?v=1', 'https://www.google.de/search?q=tea'];

// asked makes requests that a rule may mean.
function asked(rule) {
  const text = rule.replace(/^@@/, '');
  const cut = text.lastIndexOf('$');
  const pattern = cut >= 0 ? text.slice(0, cut) : text, options = cut >= 0 ? text.slice(cut + 1).split(',') : [];
  // That engine takes no rule that names popups, and a host without an end for a whole one.
  if (/^\|\|[^/^*?:|]+$/.test(pattern) || /^\/.*\/$/.test(pattern) || pattern === '' || options.includes('popup')) return [];
  const fill = pattern.replace(/\|$/, '').replace(/\^\*/g, '/x1').replace(/\*/g, () => pick(['', 'abc', '1/2', 'a.b'])).replace(/\^/g, () => pick(['/', '?', '/', ':']));
  let url;
  if (fill.startsWith('||')) url = pick(['https://', 'http://', 'https://www.', 'https://a.b-c.']) + fill.slice(2);
  else if (fill.startsWith('|')) url = fill.slice(1);
  else if (fill.startsWith('://')) url = 'https' + fill;
  else url = 'https://' + pick(['cdn.example.net', 'www.example.com', '192.0.2.9:8080']) + (fill.startsWith('.') || fill.startsWith('/') ? '' : '/') + fill;
  if (!/\|$/.test(pattern)) url += pick(['', '', 'q1', '/more.js?v=2']);
  const named = options.filter(o => types.includes(o));
  const domains = options.filter(o => o.startsWith('domain=')).flatMap(o => o.slice(7).split('|')).filter(d => !d.includes('/'));
  const site = () => {
    const d = domains.length && random(4) ? pick(domains).replace(/^~/, '').replace(/\.\*$/, '.de') : '';
    return d ? 'https://' + pick(['', 'www.', 'a.']) + d + '/' : pick(sites);
  };
  const own = () => { try { return new URL(url).origin + '/'; } catch { return sites[0]; } };
  const type = named.length && random(5) ? pick(named) : pick(types);
  const requests = [{url, type, from: random(6) ? site() : own()}];
  switch (random(5)) {
    case 0: requests.push({url: url.toUpperCase().replace(/^HTTP/, 'http').replace('httpS', 'https'), type, from: site()}); break;
    case 1: requests.push({url: url.replace('://', '://x'), type, from: site()}); break;
    case 2: requests.push({url: url.slice(0, -1), type, from: site()}); break;
    case 3: requests.push({url: url.replace(/[/](?=[^/]*$)/, '-'), type, from: site()}); break;
    default: requests.push({url, type: pick(types), from: pick(sites)});
  }
  return requests;
}

const plain = ['https://www.example.com/app.js', 'https://www.example.com/css/main.css', 'https://fonts.gstatic.com/s/roboto/v30/a.woff2',
  'https://cdn.jsdelivr.net/npm/vue@3/dist/vue.global.js', 'https://cdnjs.cloudflare.com/ajax/libs/jquery/3.7.1/jquery.min.js', 'https://i.ytimg.com/vi/abc/hq.jpg',
  'https://upload.wikimedia.org/wikipedia/commons/a/a1/Lighthouse.jpg', 'https://www.google.com/recaptcha/api.js', 'https://js.stripe.com/v3/',
  'https://maps.googleapis.com/maps/api/js?key=1', 'https://player.vimeo.com/video/1', 'https://images.unsplash.com/photo-1?w=400', 'https://api.example.com/v1/items?page=2',
  'https://www.googletagmanager.com/gtm.js?id=GTM-1', 'https://www.google-analytics.com/analytics.js', 'https://securepubads.g.doubleclick.net/tag/js/gpt.js',
  'https://connect.facebook.net/en_US/fbevents.js', 'https://static.hotjar.com/c/hotjar-1.js?sv=6', 'https://bat.bing.com/bat.js', 'https://c.amazon-adsystem.com/aax2/apstag.js',
  'https://www.example.com/ads/banner.jpg', 'https://www.example.com/advertisement.js', 'https://www.example.com/adverts/1.gif', 'https://www.example.com/img/header-ad.png'];

const rules = text => text.split('\n').map(l => l.trim()).filter(l => l && !/^[!\[]/.test(l) && !/#@?[?$%]?#/.test(l));
const requests = plain.flatMap(url => types.map(type => ({url, type, from: pick(sites)})));
for (const text of [ads, trackers]) {
  const all = rules(text), rare = all.filter(r => !/^\|\|[^/^]*\^(\$|$)/.test(r) || r.startsWith('@@'));
  for (let i = 0; i < all.length; i += 97) requests.push(...asked(all[i]));
  for (let i = 0; i < rare.length; i += 7) requests.push(...asked(rare[i]));
}

const alone = FiltersEngine.parse(ads), both = FiltersEngine.parse(ads + '\n' + trackers);
const says = (engine, r) => engine.match(Request.fromRawDetails({url: r.url, type: r.type === 'subdocument' ? 'sub_frame' : r.type, sourceUrl: r.from})).match;
// A host with a last dot is another text to each engine.
const lines = requests.filter(r => URL.canParse(r.url) && !new URL(r.url).hostname.endsWith('.')).map(r => {
  const url = new URL(r.url).href;
  return JSON.stringify([url, r.type, r.from, says(alone, {...r, url}), says(both, {...r, url})]);
});
fs.mkdirSync(path.join(folder, 'testdata'), {recursive: true});
fs.writeFileSync(path.join(folder, 'testdata', 'answers.json.gz'), zlib.gzipSync('[\n' + [...new Set(lines)].join(',\n') + '\n]\n', {level: 9}));
console.log(lines.length, 'requests', lines.filter(l => l.includes('true,true]')).length, 'ads', lines.filter(l => l.endsWith('true]')).length, 'both');
