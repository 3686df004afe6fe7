variable "role" { default = "analyst" }

resource "mixpanel_user_project_role" "this" {
  key     = "bo@example.com"
  payload = jsonencode({ projects = [{ id = 1234567, users = [{ email = "bo@example.com", role = var.role }] }] })
}
