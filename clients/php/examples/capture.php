<?php

// Captures a page, tells what is happening meanwhile, and writes page.png: KEY=… php examples/capture.php https://example.com

declare(strict_types=1);

use SavePage\Client;
use SavePage\SavePageException;

require __DIR__ . '/../autoload.php'; // with Composer: vendor/autoload.php

$client = new Client(getenv('BASE') ?: 'http://127.0.0.1:8080', (string) getenv('KEY'));
try {
    $id = $client->submit(['url' => $argv[1] ?? 'https://example.com', 'fullpage' => true])['capture_id'];
    foreach ($client->watch($id) as $event) {
        echo $event['name'], ' ', $event['data']['phase'] ?? '', "\n";
    }
    $capture = $client->wait($id); // throws if the page has failed
    file_put_contents('page.png', $client->image($capture));
    echo "page.png: {$capture['width']} × {$capture['height']}, the page answered {$capture['report']['http_status']}\n";
} catch (SavePageException $error) {
    $where = sprintf('field %s, request %s', $error->field() ?? '–', $error->requestId ?? '–');
    fwrite(STDERR, "{$error->errorCode}: {$error->getMessage()} ($where)\n");
    exit(1);
}
