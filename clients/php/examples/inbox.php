<?php

// Has a capture call back to the inbox of the account, and shows what arrived: KEY=… php examples/inbox.php https://example.com

declare(strict_types=1);

use SavePage\Client;

require __DIR__ . '/../autoload.php'; // with Composer: vendor/autoload.php

$client = new Client(getenv('BASE') ?: 'http://127.0.0.1:8080', (string) getenv('KEY'));
$id = $client->submit(['url' => $argv[1] ?? 'https://example.com', 'callback_url' => Client::INBOX_URL])['capture_id'];
$event = $client->waitInbox($id);
echo $event['verified'] ? 'verified' : 'not verified', " after {$event['after_ms']} ms, answered {$event['answer']}\n";
foreach ($event['checks'] as $check) {
    echo $check['what'], ' ', $check['text'], "\n";
}
echo json_decode($event['body'], true)['status'], "\n";
