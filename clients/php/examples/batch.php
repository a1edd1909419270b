<?php

// Captures several pages and writes a picture of each into this folder: KEY=… php examples/batch.php https://example.com …

declare(strict_types=1);

use SavePage\Client;

require __DIR__ . '/../autoload.php'; // with Composer: vendor/autoload.php

$client = new Client(getenv('BASE') ?: 'http://127.0.0.1:8080', (string) getenv('KEY'));
$id = $client->submitBatch(['urls' => array_slice($argv, 1), 'options' => ['format' => 'webp', 'fullpage' => true]])['batch_id'];
$counts = $client->waitBatch($id)['counts'];
foreach ($client->batchCaptures($id) as $capture) {
    if ($capture['status'] !== 'success') {
        fprintf(STDERR, "%s: %s: %s\n", $capture['url'], $capture['error']['code'] ?? '', $capture['error']['message'] ?? '');
        continue;
    }
    file_put_contents("{$capture['capture_id']}.webp", $client->image($capture));
    echo "{$capture['capture_id']}.webp: {$capture['url']}\n";
}
exit($counts['success'] === $counts['total'] ? 0 : 1);
