package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

func docListDeliveries() *huma.Operation {
	op := operation("listDeliveries", tagDeliveries, "List deliveries, newest first",
		map[int]reflect.Type{200: schemaOf[DeliveryPage]()}, 400, 401, 429)
	op.Parameters = []*huma.Param{
		query("state", "Only deliveries in this state.", wordsSchema(savepage.DeliveryStates())),
		query("capture_id", "Only deliveries of this capture.", text()),
		limitParam(), cursorParam(),
	}
	return op
}

func docDelivery() *huma.Operation {
	op := operation("getDelivery", tagDeliveries, "Get a delivery",
		map[int]reflect.Type{200: schemaOf[DeliveryRecord]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{deliveryParam()}
	return op
}

func docRedeliver() *huma.Operation {
	op := operation("redeliver", tagDeliveries, "Send a delivery again, now",
		map[int]reflect.Type{202: schemaOf[savepage.Delivery]()}, 400, 401, 404, 413, 429)
	op.Description = "The delivery goes before all others of its receiver, with the same webhook-id and body and a new timestamp. If it is " +
		"delivered or dead, a new schedule starts; earlier attempts are kept, and numbering continues. If it is pending, it is due now."
	op.Parameters = []*huma.Param{deliveryParam()}
	return op
}

func docRedeliverEnded() *huma.Operation {
	bodies := map[int]reflect.Type{200: schemaOf[Redelivered](), 202: schemaOf[Redelivered]()}
	op := operation("redeliverDead", tagDeliveries, "Send all deliveries again that have ended and match", bodies, 400, 401, 413, 415, 429)
	op.Description = "Those that died since a time, or that match the other fields. They become due one after another, oldest first, " +
		"fifty a second. A second call does not send them twice, because they are then pending and have not ended. With count_only the answer " +
		"is 200 and nothing is sent."
	op.RequestBody = jsonBody("RedeliveryBody", true)
	return op
}

func deliveryParam() *huma.Param {
	return pathParam("id", "Id of the delivery: the webhook-id of its attempts.")
}
