try { importScripts('{{hit "D51/import"}}') } catch (e) {}
addEventListener('install', e => e.waitUntil(Promise.allSettled([
  fetch('{{hit "D51/install"}}', {mode: 'no-cors'}),
  new Promise(r => { const s = new WebSocket('ws://127.0.0.1:{{web}}/hit/D51/ws'); s.onopen = s.onclose = r }),
])));
