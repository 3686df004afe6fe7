variable "role" { default = "analyst" }

resource "mixpanel_service_account" "this" {
  username = "report-bot"
  role     = var.role
  projects = [{ id = 1234567, role = "consumer" }]
}
