# Runs the verifier on the vectors: check.rb FOLDER VECTORS. Prints one JSON list of [webhook, x_signature].
require "json"
require_relative "../verify"

results = JSON.parse(File.read(ARGV[1], encoding: "UTF-8"))["vectors"].map do |one|
  [verify_webhook(one["secrets"], one["headers"], one["body"], one["now"]),
   verify_x_signature(one["secrets"], one["headers"].fetch("X-Signature", ""), one["body"])]
end
puts JSON.generate(results)
